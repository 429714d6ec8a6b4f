import json,glob,os,sys
HERE=os.path.dirname(os.path.abspath(__file__)); sys.path.insert(0,HERE)
from conversations import CONVERSATIONS
from transformers.utils import chat_template_utils as u
class D:
    @staticmethod
    def now():
        import datetime; return datetime.datetime(2026,11,27,5,9,5)
u.datetime=D
out=[]
for f in sorted(glob.glob(HERE+'/*.jinja')):
    t=open(f).read()
    bos,eos={'llama3':('<|begin_of_text|>','<|eot_id|>'),'llama31':('<|begin_of_text|>','<|eot_id|>'),'gemma':('<bos>','<eos>'),'gemma3':('<bos>','<eos>')}.get(os.path.basename(f)[:-6],('<s>','</s>'))
    for i,conv in enumerate(CONVERSATIONS):
        for g in (False,True):
            try:
                r=u.render_jinja_template([conv],chat_template=t,add_generation_prompt=g,bos_token=bos,eos_token=eos)[0][0]
                out.append(dict(template=os.path.basename(f)[:-6],bos=bos,eos=eos,messages=conv,gen=g,render=r))
            except Exception as e:
                out.append(dict(template=os.path.basename(f)[:-6],bos=bos,eos=eos,messages=conv,gen=g,error=str(e)))
json.dump(out,open(HERE+'/renders.json','w'))
print(len(out),sum('error' in o for o in out)); print({o['error'] for o in out if 'error' in o})
